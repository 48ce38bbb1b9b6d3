// Builds the packages once, ahead of the tests that look at what is published of them.
import { execFileSync } from "node:child_process";

export const npm = (...words: string[]): string => {
  const path = process.env["npm_execpath"]; // of the npm that runs us, which need not be in the PATH
  const [program, first] = path ? [process.execPath, [path]] : ["npm", []];
  return execFileSync(program, [...first, ...words], { cwd: import.meta.dirname, encoding: "utf8" });
};

export const setup = (): void => {
  for (const name of ["sip-proxy-client", "sip-proxy-react"]) npm("run", "build", "--workspace", name);
};
