// What is published, as a server imports it: plain Node, no page.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const web = fileURLToPath(new URL("../../..", import.meta.url));
const modules = join(web, "node_modules");
let folder: string;

const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "published-")));
  for (const name of ["sip-proxy-client", "sip-proxy-react"]) {
    const [from, to] = [join(web, "packages", name), join(folder, "node_modules", name)];
    mkdirSync(to, { recursive: true });
    copyFileSync(join(from, "package.json"), join(to, "package.json"));
    node(
      join(modules, "typescript/bin/tsc"),
      "-p",
      join(from, "tsconfig.build.json"),
      "--outDir",
      join(to, "dist"),
      "--noCheck",
      "--declaration",
      "false",
    );
  }
  for (const name of ["react", "react-dom", "scheduler"])
    symlinkSync(join(modules, name), join(folder, "node_modules", name));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (code: string): unknown => JSON.parse(node("--input-type=module", "-e", code));

it("is imported without a page", { timeout: 60_000 }, () => {
  const code = `
    import { SIPProxyClient, SIPProxyError, PhoneSounds } from "sip-proxy-client";
    import { useSIPCall, SIPProxyProvider } from "sip-proxy-react";
    const client = new SIPProxyClient({ proxyUrl: "https://pbx.example", credentials: { apiKey: "1001", secret: "secret" } });
    client.on("error", () => undefined);
    client.close();
    const none = new SIPProxyClient().error.code;
    const kinds = [SIPProxyClient, SIPProxyError, PhoneSounds, useSIPCall, SIPProxyProvider].map((one) => typeof one);
    console.log(JSON.stringify({ kinds, calls: client.calls, registered: client.isRegistered, none, page: typeof window + typeof document }));`;
  expect(run(code)).toEqual({
    kinds: Array(5).fill("function"),
    calls: [],
    registered: false,
    none: "invalid_address",
    page: "undefinedundefined",
  });
});

it("renders on a server", { timeout: 60_000 }, () => {
  const code = `
    import { createElement } from "react";
    import { renderToString } from "react-dom/server";
    import { useSIPCall } from "sip-proxy-react";
    const Phone = () => createElement("p", null, String(useSIPCall({ proxyUrl: "https://pbx.example" }).isConnected));
    console.log(JSON.stringify(renderToString(createElement(Phone))));`;
  expect(run(code)).toBe("<p>false</p>");
});
