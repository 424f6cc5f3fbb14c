export { formatTree } from "./format-tree.ts";
export type { ProfileFromTextOptions } from "./profile-from-text.ts";
export { profileFromText, stacksFromText } from "./profile-from-text.ts";
