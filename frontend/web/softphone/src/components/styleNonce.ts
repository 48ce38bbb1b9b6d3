// The content security policy lets only those style elements in that have the page's nonce. Components that add one
// (react-style-singleton, below Radix) ask get-nonce for it.

import { setNonce } from "get-nonce";

const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce;
if (nonce) setNonce(nonce);
