import type { NextConfig } from "next";

const config: NextConfig = {
  output: "standalone",
  serverExternalPackages: ["@pyroscope-ts/sdk-node"],
  experimental: { serverSourceMaps: true },
};

export default config;
