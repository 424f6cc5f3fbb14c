import { describe, expect, it } from "vitest";
import { bucketSource, SAMPLE_COLUMNS } from "./clickhouse-source.ts";

const s3 = {
  ...{ bucket: "profiles", region: "eu-1", endpoint: "http://ceph:7480", isPathStyle: true, prefix: "prod/" },
  ...{ credentials: { accessKeyId: "AK", secretAccessKey: "it's\\" }, hasConditionalWrites: true },
};
const COLUMNS = `'${SAMPLE_COLUMNS.replaceAll("'", "\\'")}'`;
const PATHS = ["%41/raw/2025-10-10/01", "b/1h/2025-10-11/02"];

describe("bucketSource", () => {
  it("names the files of blocks in one pattern, percent signs of keys encoded, secrets quoted", () => {
    const source = bucketSource({ s3, cluster: undefined, namedCollection: undefined });

    expect(source(PATHS)).toBe(
      "s3('http://ceph:7480/profiles/prod/blocks/{%2541/raw/2025-10-10/01,b/1h/2025-10-11/02}/profiles.parquet', " +
        `'AK', 'it\\'s\\\\', 'Parquet', ${COLUMNS})`,
    );
    expect(source(PATHS.slice(1))).toContain("/prod/blocks/b/1h/2025-10-11/02/profiles.parquet'");
  });

  it("asks a cluster, Amazon's address, and the keys that the server has", () => {
    const amazon = { ...s3, endpoint: undefined, isPathStyle: false, credentials: undefined, prefix: "" };
    const source = bucketSource({ s3: amazon, cluster: "all'", namedCollection: undefined });

    expect(source(["b/1"])).toBe(
      `s3Cluster('all\\'', 'https://profiles.s3.eu-1.amazonaws.com/blocks/b/1/profiles.parquet', 'Parquet', ${COLUMNS})`,
    );
  });

  it("has no key where the server has a collection", () => {
    const source = bucketSource({ s3, cluster: "c", namedCollection: "pyro`s" });

    expect(source(["%41/1"])).toBe(
      `s3Cluster('c', \`pyro\\\`s\`, filename = 'prod/blocks/%41/1/profiles.parquet', format = 'Parquet', structure = ${COLUMNS})`,
    );
  });
});
