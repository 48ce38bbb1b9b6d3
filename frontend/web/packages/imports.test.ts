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

test.each([
  ["media", /^(media\/|messages\.js)/],
  ["signalling", /^(signalling\/|(api|messages)\.js|calls\/ids\.js)/],
  ["events", /^(events\/|signalling\/)/],
  ["calls", /^(calls\/|media\/|signalling\/|(api|messages)\.js|recordings\.js)/],
  ["", /^(?!testing\/|\.\.)[\w-]+(\/\w+)?\.js$/], // nothing but its own files: there are no dependencies
])("sip-proxy-client: %s/ imports what is further in", (part, allowed) => {
  const wrong = importsOf(CLIENT).filter(({ file, imported }) => file.startsWith(part && `${part}/`) && !allowed.test(imported));
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
