export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { start } = await import("@pyroscope-ts/sdk-node");
  start({ applicationName: "shop" });
}
