// How much an app carries for this package: `node size.mjs` tells it by module. What it may be is in `LIMIT`.

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "rolldown";

/** Of what is loaded with the app: bytes, minified and packed by gzip. 230 of them sign in with API keys, 600 refresh tokens, 50 tell what a
 * sign-in requires besides the password. */
export const LIMIT = 27_480;

const APP = 'import { SIPProxyClient } from "sip-proxy-client"; globalThis.phone = new SIPProxyClient();';
const source = fileURLToPath(new URL("src/", import.meta.url));

/** Every file of an app that does no more than use the client; `first`: not loaded on demand. Sizes in bytes. */
export async function measure() {
  const { output } = await build({
    input: "app",
    plugins: [
      { name: "app", resolveId: (id) => (id === "app" ? id : null), load: (id) => (id === "app" ? APP : null) },
    ],
    resolve: { alias: { "sip-proxy-client": `${source}index.ts` } },
    transform: { target: "es2022" },
    output: { minify: true },
    write: false,
  });
  return output
    .filter(({ type }) => type === "chunk")
    .map(({ fileName, isEntry, code, modules }) => ({
      name: fileName,
      first: isEntry,
      bytes: code.length,
      gzip: gzipSync(code, { level: 9 }).length,
      modules: Object.entries(modules).map(([id, { renderedLength }]) => ({
        name: id.replace(source, ""),
        bytes: renderedLength,
      })),
    }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, first, bytes, gzip, modules } of await measure()) {
    console.log(
      `${name}: ${bytes} bytes minified, ${gzip} gzip, ${first ? `of at most ${LIMIT}` : "on demand"}; not minified:`,
    );
    for (const { name, bytes } of modules.sort((one, other) => other.bytes - one.bytes))
      console.log(`${String(bytes).padStart(8)} ${name}`);
  }
}
