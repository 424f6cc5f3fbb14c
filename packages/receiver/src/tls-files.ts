import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { ServerConfig } from "./config.ts";
import { ReceiverError } from "./errors.ts";

/** PEM texts of a certificate chain and its key. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Reads what the TLS settings name.
 *
 * @returns undefined when they name nothing.
 * @throws {@link ReceiverError} `CONFIG_INVALID` when a file cannot be read, or the two are not a certificate and its key.
 */
export function readTlsFiles(
  config: Pick<ServerConfig, "tlsCertificateFile" | "tlsKeyFile">,
): TlsFiles | undefined {
  const { tlsCertificateFile, tlsKeyFile } = config;
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return undefined;
  const certificate = readSettingFile("--tls-certificate-file", tlsCertificateFile);
  const key = readSettingFile("--tls-key-file", tlsKeyFile);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const files = `--tls-certificate-file=${tlsCertificateFile} and --tls-key-file=${tlsKeyFile}`;
    throw new ReceiverError(`${files}: expected a PEM certificate and its key`, {
      code: "CONFIG_INVALID",
      cause: error,
    });
  }
  return { certificate, key };
}

function readSettingFile(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ReceiverError(`${flag}=${path}: the file cannot be read`, {
      code: "CONFIG_INVALID",
      cause: error,
    });
  }
}
