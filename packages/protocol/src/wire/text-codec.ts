/** The part of the platform's decoder that is used. */
interface PlatformDecoder {
  decode(bytes: Uint8Array): string;
}

/** The part of the platform's encoder that is used. */
interface PlatformEncoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { readonly written: number };
}

interface TextPlatform {
  readonly TextDecoder: new (
    encoding: string,
    options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
  ) => PlatformDecoder;
  readonly TextEncoder: new () => PlatformEncoder;
}

// Browsers and Node both have these globals. The package loads the global types of neither, so that nothing else of
// one platform can be used by mistake; hence the cast.
const platform = globalThis as unknown as TextPlatform;

/** Writes UTF-8; a lone surrogate becomes U+FFFD. */
export const UTF8_ENCODER: PlatformEncoder = new platform.TextEncoder();
/** Reads UTF-8; throws on bytes that are not, and keeps a byte order mark. */
export const UTF8_DECODER: PlatformDecoder = new platform.TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});
/** Reads each byte as one UTF-16 unit, ASCII as ASCII. */
export const BYTE_DECODER: PlatformDecoder = new platform.TextDecoder("windows-1252");
/** Reads UTF-8; bytes that are not become U+FFFD. */
export const LOSSY_UTF8_DECODER: PlatformDecoder = new platform.TextDecoder("utf-8", { ignoreBOM: true });
