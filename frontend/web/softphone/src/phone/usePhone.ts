// A client with what a softphone has besides: sounds, and the list of the last calls.

import { useEffect, useRef, useState } from "react";
import { type PhoneBookEntry, PhoneSounds, type Session, type SIPProxyClient } from "sip-proxy-client";
import { useSIPProxy } from "sip-proxy-react";
import { changePassword } from "./changePassword";
import { chosenCodec } from "./codec";
import { allowNotifications, declineNotifications, type NotificationState, notificationState } from "./notifications";
import { SERVER_URL } from "./serverUrl";
import { save } from "./signedIn";
import type { Snapshot } from "./snapshot";
import { useHistory } from "./useHistory";

export interface Phone {
  client: SIPProxyClient;
  snapshot: Snapshot;
  playTone(key: string): void; // played, not sent
  loadOlderCalls(): void; // one more page of the last calls
  markCallsSeen(): void; // the user looks at the last calls
  answerNotifications(allow: boolean): void; // whether the system may notify of calls
  changePassword(old: string, next: string): Promise<string>; // the error; "" for none
}

/** `onSignedOut`: the server does not accept the sign-in any more, and there is no call. */
export function usePhone(
  session: Session,
  phoneBook: readonly PhoneBookEntry[],
  onSignedOut: (reason: string) => void,
): Phone {
  const { user, token } = session;
  const isChangingPassword = useRef(false); // which ends all that the user has signed in to, until the new token is used
  const nameOf = (number: string): string => phoneBook.find((entry) => entry.number === number)?.name ?? "";
  const { client, state } = useSIPProxy({
    proxyUrl: SERVER_URL,
    user,
    ...(token === null ? {} : { credentials: { token, user, cookie: true } }),
    nameOf,
    preferredCodec: () => chosenCodec() || undefined,
    relayOnly: new URLSearchParams(location.search).get("relay") === "1", // for diagnosis
  });
  if (!client) throw new Error("the softphone is a page: it is not rendered on a server");
  const [ringsHere, setAloud] = useState(false);
  const sounds = useRef<PhoneSounds | null>(null);
  const { history, missedCount, hasOlderCalls, loadOlderCalls, markCallsSeen } = useHistory(
    client,
    user,
    state.registered,
    nameOf,
  );
  useEffect(() => {
    try {
      const made = (sounds.current = new PhoneSounds(client, setAloud));
      return () => made.close();
    } catch (error) {
      reportError(error); // a phone that rings on the screen alone is better than none
      return undefined;
    }
  }, [client]);
  useEffect(() => client.on("tokenRefreshed", save), [client]);
  useEffect(
    () =>
      client.on("error", ({ fatal, code, message }) => {
        if (fatal && code === "unauthorized" && !isChangingPassword.current) onSignedOut(message);
      }),
    [client],
  );
  const [notified, answerNotifications] = useNotifications();
  return {
    client,
    snapshot: { ...state, ringsHere, history, missedCount, hasOlderCalls, notifications: notified },
    loadOlderCalls,
    markCallsSeen,
    playTone: (key) => sounds.current?.key(key),
    answerNotifications,
    changePassword: async (old, next) => {
      isChangingPassword.current = true;
      try {
        return await changePassword(client, old, next);
      } finally {
        isChangingPassword.current = false;
      }
    },
  };
}

function useNotifications(): [NotificationState, (allow: boolean) => void] {
  const [state, setState] = useState(notificationState);
  const look = (): void => setState(notificationState());
  useEffect(() => {
    document.addEventListener("visibilitychange", look); // it may have been changed in the browser's settings
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const answer = (allow: boolean): void => {
    if (allow) return void allowNotifications().then(look);
    declineNotifications();
    look();
  };
  return [state, answer];
}
