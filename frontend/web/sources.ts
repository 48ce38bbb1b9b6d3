// The packages' sources in place of what is built of them: pages and tests see a change at once.
import { fileURLToPath } from "node:url";

const source = (name: string): string => fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

export const sources = { "sip-proxy-client": source("sip-proxy-client"), "sip-proxy-react": source("sip-proxy-react") };
