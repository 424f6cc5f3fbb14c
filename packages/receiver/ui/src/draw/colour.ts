/** A colour as a canvas' pixels hold it: alpha, blue, green, red from the highest byte down. */
export type PixelColour = number;

function channels(hex: string): readonly [red: number, green: number, blue: number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** `#rrggbb`, opaque, for a pixel. Little-endian, as every processor that runs a browser is. */
export function toPixel(hex: string): PixelColour {
  const [red, green, blue] = channels(hex);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function luminance(hex: string): number {
  const linear = channels(hex).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = linear;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colours, 1 to 21. Source: WCAG 2.2, "contrast ratio". */
export function measureContrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const DARK_TEXT = "#10141a";
const LIGHT_TEXT = "#ffffff";

/** Black or white, whichever can be read better on `background`. */
export function chooseTextColour(background: string): string {
  return measureContrast(background, DARK_TEXT) >= measureContrast(background, LIGHT_TEXT)
    ? DARK_TEXT
    : LIGHT_TEXT;
}
