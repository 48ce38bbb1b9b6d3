// All tests of the workspaces: each package's own stand beside what they test.
import { defineConfig } from "vitest/config";
import { sources } from "./sources.ts";

export default defineConfig({ resolve: { alias: sources }, test: { globalSetup: "built.ts" } });
