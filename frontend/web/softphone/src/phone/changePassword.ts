// Changes the user's password. The server then ends all that the user has signed in to, this page's connection too: it goes on with
// the new token, and calls are kept meanwhile.

import { HttpError, type Session, type SIPProxyClient } from "sip-proxy-client";
import { ACCOUNT, asSentence, NO_ANSWER_TO_SIGN_IN } from "../texts";
import { save } from "./signedIn";

/** The server ends connections within a second; without one there is nothing to wait for. */
const END_TIMEOUT_MS = 2000;

/** The error; "" for none. */
export async function changePassword(
  client: SIPProxyClient,
  oldPassword: string,
  newPassword: string,
): Promise<string> {
  try {
    const body = { oldPassword, newPassword, cookie: true };
    const { user, token } = await client.http.post<Session & { token: string }>("/me/password", body);
    save({ user, token });
    // Not before: the client would take what is said of the old token for the new one's.
    await signInEnded(client);
    client.updateToken(token);
    return "";
  } catch (error) {
    if (!(error instanceof HttpError)) return NO_ANSWER_TO_SIGN_IN;
    return error.status === 401 ? ACCOUNT.wrongOld : asSentence(error.message);
  }
}

function signInEnded(client: SIPProxyClient): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (client.getSnapshot().signedOut === null) return;
      done();
    };
    const done = (): void => {
      stop();
      clearTimeout(timer);
      setTimeout(resolve); // after the events of this change
    };
    const stop = client.subscribe(look);
    const timer = setTimeout(done, END_TIMEOUT_MS);
    look();
  });
}
