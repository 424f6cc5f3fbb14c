module.exports = {
  apps: [
    {
      name: "shop",
      script: "dist/main.js",
      exec_mode: "cluster",
      instances: 2,
    },
  ],
};
