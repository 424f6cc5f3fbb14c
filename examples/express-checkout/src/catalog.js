/** The products of the shop, and the search over them: `rankProducts` is where the shop's CPU time goes on a good day. */

const PRODUCT_COUNT = 1500;
const ADJECTIVES = ["red", "small", "quiet", "heavy", "bright", "folding", "wool", "steel", "paper", "light"];
const NOUNS = [
  "lamp",
  "chair",
  "kettle",
  "jacket",
  "notebook",
  "bicycle",
  "desk",
  "radio",
  "basket",
  "clock",
];

const products = Array.from({ length: PRODUCT_COUNT }, (_, index) => ({
  id: index + 1,
  name: `${ADJECTIVES[index % ADJECTIVES.length]} ${NOUNS[Math.floor(index / 7) % NOUNS.length]} ${index + 1}`,
  cents: 500 + ((index * 37) % 20_000),
  tags: [ADJECTIVES[(index * 3) % ADJECTIVES.length], NOUNS[(index * 5) % NOUNS.length]],
}));

/** @param {number} id */
export function findProduct(id) {
  return products[id - 1];
}

/**
 * The ten products that match a search best.
 *
 * @param {string} search
 */
export function searchProducts(search) {
  const words = search.toLowerCase().split(" ").filter(Boolean);
  return rankProducts(words)
    .slice(0, 10)
    .map(({ product }) => product);
}

function rankProducts(words) {
  return products
    .map((product) => ({ product, score: scoreProduct(product, words) }))
    .sort((a, b) => b.score - a.score || a.product.cents - b.product.cents);
}

function scoreProduct(product, words) {
  let score = 0;
  for (const word of words) {
    score += countShared(product.name, word);
    for (const tag of product.tags) score += countShared(tag, word) / 2;
  }
  return score;
}

/** Letters of `word` that stand in `text` in the same order. */
function countShared(text, word) {
  let at = 0;
  let shared = 0;
  for (const letter of word) {
    const found = text.indexOf(letter, at);
    if (found < 0) continue;
    at = found + 1;
    shared++;
  }
  return shared;
}
