module.exports = {
  apps: [
    {
      name: "shop",
      script: "dist/main.js",
      exec_mode: "cluster",
      instances: 2,
      node_args: "--import @pyroscope-ts/sdk-node/register",
      env: { PYROSCOPE_APPLICATION_NAME: "shop" },
    },
  ],
};
