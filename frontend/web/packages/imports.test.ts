// Who may import whom (docs/ARCHITECTURE.md): inward in the client, and by their names between the workspaces.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const WEB = join(import.meta.dirname, "..");

/** What the sources in a folder import: relative to it, or a package's name. Tests may import what they like. */
function importsOf(folder: string): { file: string; imported: string }[] {
  const all = readdirSync(join(WEB, folder), { recursive: true, encoding: "utf8" });
  const files = all.filter((file) => /\.tsx?$/.test(file) && !/\.test\.|^testing\//.test(file));
  expect(files).not.toEqual([]);
  return files.flatMap((file) => {
    const text = readFileSync(join(WEB, folder, file), "utf8");
    return [...text.matchAll(/(?:\bfrom|\bimport\(|\bimport) ?"([^"]+)"/g)].map(([, name = ""]) => ({
      file,
      imported: name.startsWith(".") ? relative(join(WEB, folder), join(WEB, folder, dirname(file), name)) : name,
    }));
  });
}

const CLIENT = "packages/sip-proxy-client/src";

/** What each folder may import beside itself, from the innermost outwards. */
const FLOORS: Record<string, string> = {
  protocol: "",
  signaling: "protocol ids clock",
  http: "signaling protocol clock",
  devices: "protocol",
  state: "signaling devices protocol media/PeerConnection quality/mos", // of the last two the types of what they say
  quality: "http signaling state devices media protocol",
  media: "quality state devices protocol clock",
  calls: "state http signaling protocol clock",
  sounds: "state devices/autoplay SIPProxyClient",
};

test.each(Object.entries(FLOORS))("sip-proxy-client: %s/ imports what is further in", (part, inner) => {
  const allowed = [part, ...inner.split(" ").filter(Boolean)];
  const isAllowed = (name: string): boolean => allowed.some((one) => name === one || name.startsWith(`${one}/`));
  const wrong = importsOf(CLIENT).filter(({ file, imported }) => file.startsWith(`${part}/`) && !isAllowed(imported.replace(/\.js$/, "")));
  expect(wrong).toEqual([]);
});

test("sip-proxy-client imports nothing but its own files: there are no dependencies", () => {
  const wrong = importsOf(CLIENT).filter(({ imported }) => !/^(?!testing\/|\.\.)[\w-]+(\/\w+)?\.js$/.test(imported));
  expect(wrong).toEqual([]);
});

test("sip-proxy-react imports React and the client by its name", () => {
  const wrong = importsOf("packages/sip-proxy-react/src").filter(({ imported }) => !/^(react|sip-proxy-client|\w+\.js)$/.test(imported));
  expect(wrong).toEqual([]);
});

test("the softphone has of the packages what they give to everybody", () => {
  const wrong = importsOf("softphone/src").filter(({ imported }) => /^\.\.|^sip-proxy-\w+\//.test(imported));
  expect(wrong).toEqual([]);
});
