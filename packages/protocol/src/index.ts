export type { ProtocolErrorCode } from "./errors.ts";
export { ProtocolError } from "./errors.ts";
export type {
  FunctionIndex,
  FunctionTable,
  LabelTable,
  LineTable,
  LocationIndex,
  LocationTable,
  MappingIndex,
  MappingTable,
  Profile,
  SampleTable,
  StringIndex,
  ValueType,
} from "./profile/profile.ts";
export { NO_FUNCTION, NO_MAPPING } from "./profile/profile.ts";
export type { DiffTree, NodeIndex, StackList, Tree } from "./profile/tree.ts";
export { NO_PARENT, OTHER_NAME, ROOT_NAME } from "./profile/tree.ts";
