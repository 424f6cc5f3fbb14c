/** Values by their names, as a template sees them. */
export interface TemplateScope {
  readonly [name: string]: unknown;
}

type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly path: string; readonly isQuoted: boolean }
  | { readonly kind: "if"; readonly path: string; readonly body: readonly Node[] }
  | {
      readonly kind: "range";
      readonly path: string;
      readonly key: string;
      readonly value: string;
      readonly body: readonly Node[];
    };

/**
 * Renders the part of Go's templates that the chart of `deploy/helm` uses: values, `quote`, `if`, and `range` with two
 * variables. Whatever else a template has is an error, and so is a value that is not there.
 */
export function renderGoTemplate(text: string, root: TemplateScope): string {
  // As Go does: a dash takes the white space on its side.
  const trimmed = text.replaceAll(/\s*\{\{-/g, "{{").replaceAll(/-\}\}\s*/g, "}}");
  const tokens = trimmed.split(/(\{\{.*?\}\})/s);
  const nodes = parse(tokens, false);
  return renderNodes(nodes, { ...root, $: root });
}

function parse(tokens: string[], isNested: boolean): readonly Node[] {
  const nodes: Node[] = [];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    const action = /^\{\{\s*(.*?)\s*\}\}$/s.exec(token)?.[1];
    if (action === undefined) {
      nodes.push({ kind: "text", text: token });
      continue;
    }
    if (action === "end") {
      if (isNested) return nodes;
      throw new Error("template: an end without a begin");
    }
    nodes.push(parseAction(action, tokens));
  }
  if (isNested) throw new Error("template: a begin without an end");
  return nodes;
}

function parseAction(action: string, tokens: string[]): Node {
  const range = /^range (\$\w+), (\$\w+) := (\$?[.\w]+)$/.exec(action);
  if (range !== null) {
    const [, key = "", value = "", path = ""] = range;
    return { kind: "range", path, key, value, body: parse(tokens, true) };
  }
  const condition = /^if (\$?[.\w]+)$/.exec(action);
  if (condition !== null) return { kind: "if", path: condition[1] ?? "", body: parse(tokens, true) };
  const value = /^(\$?[.\w]+)( \| quote)?$/.exec(action);
  if (value !== null) return { kind: "value", path: value[1] ?? "", isQuoted: value[2] !== undefined };
  throw new Error(`template: ${action} is more than this renders`);
}

function renderNodes(nodes: readonly Node[], scope: TemplateScope): string {
  return nodes.map((node) => renderNode(node, scope)).join("");
}

function renderNode(node: Node, scope: TemplateScope): string {
  if (node.kind === "text") return node.text;
  const value = lookUp(node.path, scope);
  if (node.kind === "value") return node.isQuoted ? JSON.stringify(String(value)) : String(value);
  if (node.kind === "if") return value ? renderNodes(node.body, scope) : "";
  // In the order of their keys, as Go does.
  const entries = Object.entries(value as TemplateScope).sort(([left], [right]) => (left < right ? -1 : 1));
  return entries
    .map(([key, item]) => renderNodes(node.body, { ...scope, [node.key]: key, [node.value]: item }))
    .join("");
}

function lookUp(path: string, scope: TemplateScope): unknown {
  const [first = "", ...rest] = path.split(".");
  let value: unknown = first === "" ? scope : scope[first];
  for (const name of rest) value = (value as TemplateScope | undefined)?.[name];
  if (value === undefined) throw new Error(`template: there is no ${path}`);
  return value;
}
