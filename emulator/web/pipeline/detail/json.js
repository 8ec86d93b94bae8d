// Indents JSON text without changing the spelling of anything in it: numbers, escapes and order stay as they were sent.

export const MOST_CHARACTERS = 100_000;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

const isOpening = (token) => token === "{" || token === "[";
const isClosing = (token) => token === "}" || token === "]";

const isJson = (text) => {
  try {
    JSON.parse(text); // only a test: its result would lose the spelling
    return true;
  } catch {
    return false;
  }
};

const kindOf = (token) => {
  if (token.length === 1 && "{}[]:,".includes(token)) return "punctuation";
  if (token[0] === '"') return "string";
  return /^[-\d]/.test(token) ? "number" : "literal";
};

// A member's path as the contract writes it, `product.price`. A dot within a name is escaped.
const pathOf = (parent, name) => {
  const escaped = name.replace(/[.\\[]/g, "\\$&");
  return parent ? `${parent}.${escaped}` : escaped;
};

const startsLine = (before, token) => before === "," || isOpening(before) !== isClosing(token);

const opened = (token, path) => (token === "[" ? { path, item: 0, here: `${path}[0]` } : { path, here: path });

const nextItem = (around) => {
  if (around.item !== undefined) around.here = `${around.path}[${++around.item}]`;
};

// Yields the texts in order, each with its kind and the path of its member. Each open object or array around a token
// has a `path`, and `here`, the path of the member or item that was reached in it.
const walk = function* (tokens) {
  const open = [{ path: "", here: "" }];
  for (const [i, token] of tokens.entries()) {
    const around = open.at(-1);
    if (isClosing(token)) open.pop();
    if (startsLine(tokens[i - 1], token))
      yield { text: `\n${"  ".repeat(open.length - 1)}`, kind: "punctuation", path: around.path };
    if (tokens[i + 1] === ":") around.here = pathOf(around.path, JSON.parse(token));
    yield {
      text: token === ":" ? ": " : token,
      kind: tokens[i + 1] === ":" ? "name" : kindOf(token),
      path: isClosing(token) ? around.path : around.here,
    };
    if (isOpening(token)) open.push(opened(token, around.here));
    if (token === ",") nextItem(around);
  }
};

const atMost = (pieces) => {
  const kept = [];
  let room = MOST_CHARACTERS;
  for (const piece of pieces) {
    kept.push({ ...piece, text: piece.text.slice(0, room) });
    room -= piece.text.length;
    if (room < 0) break;
  }
  return { pieces: kept, isCut: room < 0 };
};

/**
 * The text, indented: `pieces` of `{ text, kind, path }`, whether it `isJson`, and whether it `isCut` because it is
 * longer than MOST_CHARACTERS. Text that is not JSON is one piece, unchanged.
 */
export const indented = (text) =>
  isJson(text)
    ? { isJson: true, ...atMost(walk(text.match(TOKEN))) }
    : { isJson: false, ...atMost([{ text, kind: "text", path: "" }]) };
