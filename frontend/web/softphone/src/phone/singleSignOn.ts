// Sign-in at a provider: the page goes there, and comes back with `#sso=RESULT` in its address (docs/SSO.md).

import type { HttpApi, Session } from "sip-proxy-client";
import { SSO_FAILED, SSO_RESULTS } from "../texts";
import { SERVER_URL } from "./serverUrl";
import { read, write } from "./storage";

const KEY = "softphone.sso"; // of this tab: its sign-in was at the provider

/** Where the sign-in begins, and this page is opened again afterwards. */
export function signInAddress(page: { pathname: string; search: string }): string {
  const path = page.pathname.slice(new URL(SERVER_URL).pathname.replace(/\/$/, "").length) || "/";
  return `${SERVER_URL}/auth/oidc/login?${new URLSearchParams({ returnTo: path + page.search })}`;
}

/** The result in this address (its hash); null if there is none. Pure. */
export function resultOf(hash: string): string | null {
  return new URLSearchParams(hash.slice(1)).get("sso");
}

/** The result with which this page was opened, which then is no longer in its address: a reload is no new sign-in. */
export function takeResult(): string | null {
  const result = resultOf(location.hash);
  if (result !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return result;
}

/** Why it failed, in words. */
export function resultText(result: string, provider: string): string {
  return (SSO_RESULTS[result] ?? SSO_FAILED)(provider);
}

/** The token of a sign-in that has succeeded. */
export async function fetchSession(http: HttpApi): Promise<Session> {
  const session = await http.post<Session>("/auth/oidc/session", {});
  write("sessionStorage", KEY, "1");
  return session;
}

const CHANNEL = "ari-bridge.sign-in";
const WINDOW = "?signed-in"; // of a page that was opened for a sign-in alone

/** During a call, which a page that goes away would interrupt: in a window of its own. */
export function openSignInWindow(): void {
  window.open(
    signInAddress({ pathname: new URL(`${SERVER_URL}/`).pathname, search: WINDOW }),
    "",
    "popup,width=480,height=640",
  );
}

/** Hears of sign-ins in such windows until the result is called. */
export function onWindowSignIn(listener: (session: Session) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL); // of this origin alone
  channel.onmessage = ({ data }: MessageEvent<Session>) => listener(data);
  return () => channel.close();
}

/** In such a window: tells the others of the session, and closes it. False if this page is none. */
export function handToOpener({ user, token }: Session): boolean {
  if (location.search !== WINDOW) return false;
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ user, token });
  channel.close();
  window.close();
  return true;
}

/**
 * Signs out, and at the provider too, which then shows a page of its own, if the sign-in of this page was there.
 * `http.token`: that of the page.
 */
export async function signOutAtProvider(http: HttpApi): Promise<void> {
  if (read("sessionStorage", KEY) === null) return http.signOut();
  write("sessionStorage", KEY, null);
  const { url } = await http.post<{ url: string | null }>("/auth/oidc/logout", {});
  if (url) location.assign(url);
}
