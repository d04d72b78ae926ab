import { defineConfig } from "vite";

const api = "http://127.0.0.1:8790";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../src/stanchion/server/dashboard/static",
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    // The policy of the server allows no inline script and no data: style, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { host: "127.0.0.1", port: 5173, proxy: { "/api": api } },
});
