/** Name of this package, as profiles and requests carry it. */
export const PACKAGE_NAME = "@pyroscope-ts/sdk-node";

/** Version of this package; a test compares it with package.json. */
export const PACKAGE_VERSION = "0.0.0";
