// The address of the server of these pages: at the root of its host, or behind a proxy under any path.

/** Without a trailing slash. */
export const SERVER_URL = new URL(".", document.baseURI).href.replace(/\/$/, "");
