// What `npm pack` makes of the packages, as strangers' tools see it.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { npm } from "../built.ts";

const bin = join(import.meta.dirname, "../node_modules/.bin");
const folder = mkdtempSync(join(tmpdir(), "packed-"));

/** Rejects with what the tool has said, where it finds a fault. */
const run = (tool: string, ...words: string[]) => promisify(execFile)(join(bin, tool), words);

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["sip-proxy-client", "sip-proxy-react"])("%s", (name) => {
  let tarball = "";
  let files: string[] = [];

  beforeAll(() => {
    const [packed] = JSON.parse(
      npm("pack", "--json", "--ignore-scripts", "--workspace", name, "--pack-destination", folder),
    ) as [{ filename: string; files: { path: string }[] }];
    tarball = join(folder, packed.filename);
    files = packed.files.map(({ path }) => path);
  }, 30_000);

  test("publint finds nothing", () => run("publint", tarball, "--strict"), 30_000);

  test(
    "its types are found by every resolution that ESM has",
    () => run("attw", tarball, "--profile", "esm-only"),
    60_000,
  );

  test("holds what is used, and no tests", () => {
    expect(files).toContain("README.md");
    expect(files).toContain("dist/index.js");
    expect(files).toContain("dist/index.d.ts");
    const source = (path: string): boolean =>
      /test|\.tsx?$/.test(path.replace(/\.d\.ts$/, "")) && !path.startsWith("example/");
    expect(files.filter(source)).toEqual([]);
    expect(files.filter((path) => /node_modules|example\/dist/.test(path))).toEqual([]);
  });

  test("its README links to nothing that is not packed", () => {
    const readme = readFileSync(join(import.meta.dirname, name, "README.md"), "utf8");
    const headings = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, "")
        .trim()
        .replace(/\s/g, "-"),
    );
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      if (link.startsWith("#")) expect(headings).toContain(link.slice(1));
      else if (!link.startsWith("https://"))
        expect(
          files.filter((path) => path === link || path.startsWith(`${link}/`)),
          link,
        ).not.toEqual([]);
    }
  });
});
