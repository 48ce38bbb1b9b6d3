// Builds the pages into ../../static, which the front end serves at `/`, `/dashboard` and `/admin`.
// `vite build --mode gallery --outDir FOLDER` builds the gallery of all states instead, of which the tests take pictures.
// Every address in the pages is relative to them: behind a proxy they may stand below any path.
// Nothing is inlined: the content security policy allows no inline script.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { sources } from "../sources.ts";

const server = process.env["ARI_BRIDGE_URL"] ?? "http://127.0.0.1:3000";
const api = [
  "/config",
  "/session",
  "/live",
  "/events",
  "/health",
  "/call",
  "/stats",
  "/recordings",
  "/me",
  "/users",
  "/dial-permissions",
  "/keys",
  "/audit",
];

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [react()],
  // The server puts another one in its place each time (frontend/api/routes/static.py).
  html: { cspNonce: "CSP_NONCE" },
  resolve: { alias: sources },
  build: {
    outDir: "../../static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: { input: mode === "gallery" ? ["gallery.html"] : ["index.html", "dashboard.html", "admin.html"] },
  },
  server: {
    proxy: Object.fromEntries([
      ...api.map((path) => [path, { target: server }] as const),
      ["/ws", { target: server.replace(/^http/, "ws"), ws: true }] as const,
    ]),
  },
}));
