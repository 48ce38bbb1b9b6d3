// Who may import whom (docs/ARCHITECTURE.md): inward in the client, and by their names between the workspaces.
import { readdirSync, readFileSync } from "node:fs";
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

/** The table of docs/ARCHITECTURE.md: what each folder may import beside itself, of types too. */
const ALLOWED: Record<string, string[]> = Object.fromEntries(
  [
    ...readFileSync(join(WEB, "../../docs/ARCHITECTURE.md"), "utf8").matchAll(
      /^\| `src\/(\w+)\/` \|[^|]*\|([^|]*)\|$/gm,
    ),
  ].map(([, folder = "", imports = ""]) => [folder, [...imports.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name)]),
);

/** `signaling/urls.js` belongs to `signaling`, `clock.js` to `clock`. */
const partOf = (name: string): string => name.split("/")[0]!.replace(/\.\w+$/, "");

test("docs/ARCHITECTURE.md has each folder of sip-proxy-client", () => {
  const folders = readdirSync(join(WEB, CLIENT), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== "testing",
  );
  expect(Object.keys(ALLOWED).sort()).toEqual(folders.map(({ name }) => name).sort());
});

test.each(Object.entries(ALLOWED))(
  "sip-proxy-client: %s/ imports what docs/ARCHITECTURE.md allows",
  (folder, allowed) => {
    const imports = importsOf(CLIENT).filter(({ file }) => file.startsWith(`${folder}/`));
    expect(imports.filter(({ imported }) => ![folder, ...allowed].includes(partOf(imported)))).toEqual([]);
    const unused = allowed.filter((name) => !imports.some(({ imported }) => partOf(imported) === name));
    expect(unused).toEqual([]);
  },
);

/** Each circle in what is imported, as the names along it. */
function circlesOf(edges: readonly (readonly [from: string, to: string])[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) return void found.push([...path.slice(path.indexOf(name)), name].join(" > "));
    if (done.has(name)) return;
    for (const [from, to] of edges) if (from === name) visit(to, [...path, name]);
    done.add(name);
  };
  for (const [from] of edges) visit(from, []);
  return found;
}

const bare = (name: string): string => name.replace(/\.(js|tsx?)$/, "");

test.each([CLIENT, "packages/sip-proxy-react/src", "softphone/src"])(
  "%s: no file imports itself by way of others, not even for a type",
  (folder) => {
    expect(circlesOf(importsOf(folder).map(({ file, imported }) => [bare(file), bare(imported)]))).toEqual([]);
  },
);

test("sip-proxy-client: no folder imports itself by way of others", () => {
  const edges = importsOf(CLIENT).map(({ file, imported }) => [partOf(file), partOf(imported)] as const);
  expect(circlesOf(edges.filter(([from, to]) => from !== to))).toEqual([]);
});

test("sip-proxy-client imports nothing but its own files: there are no dependencies", () => {
  const wrong = importsOf(CLIENT).filter(({ imported }) => !/^(?!testing\/|\.\.)[\w-]+(\/\w+)?\.js$/.test(imported));
  expect(wrong).toEqual([]);
});

test("sip-proxy-react imports React and the client by its name", () => {
  const wrong = importsOf("packages/sip-proxy-react/src").filter(
    ({ imported }) => !/^(react|sip-proxy-client|\w+\.js)$/.test(imported),
  );
  expect(wrong).toEqual([]);
});

test("the softphone has of the packages what they give to everybody", () => {
  const wrong = importsOf("softphone/src").filter(({ imported }) => /^\.\.|^sip-proxy-\w+\//.test(imported));
  expect(wrong).toEqual([]);
});
