// Where these pages are: the server stands at the root of its host, or behind a proxy below any path.

/** The address of the server that this page comes from, without a slash at its end. */
export const SERVER_URL = new URL(".", document.baseURI).href.replace(/\/$/, "");
