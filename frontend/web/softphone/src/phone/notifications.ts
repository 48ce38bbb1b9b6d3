// The system's notifications of calls while the page is hidden, if the browser allows them. Nothing here throws.
// When one is shown is decided in useBackgroundIndicators.ts.

import { read, write } from "./storage";

/** `ask`: not decided yet. `none`: this browser has no notifications for pages (Android's, and many within apps). */
export type NotificationState = "ask" | "declined" | "allowed" | "blocked" | "none";

const DECLINED_KEY = "softphone.notifications.declined";

/** `declined`: here, and not in the browser: it may be asked all the same. */
export function notificationState(): NotificationState {
  const permission = browserPermission();
  if (permission === "granted") return "allowed";
  if (permission === "denied") return "blocked";
  if (permission !== "default") return "none";
  return read("localStorage", DECLINED_KEY) === null ? "ask" : "declined";
}

/** Lets the browser ask. Only after a press: browsers ask at no other time. */
export async function allowNotifications(): Promise<void> {
  try {
    await Notification.requestPermission();
  } catch {
    return;
  }
}

export const declineNotifications = (): void => write("localStorage", DECLINED_KEY, "1");

/** Shows a notification; returns a function that removes it. */
export function notify(title: string, options: NotificationOptions, onPress: () => void): () => void {
  try {
    const note = new Notification(title, options);
    note.onclick = () => {
      window.focus();
      onPress();
      note.close();
    };
    return () => note.close();
  } catch {
    return () => undefined;
  }
}

function browserPermission(): string {
  try {
    return isSupported() ? Notification.permission : "none";
  } catch {
    return "none"; // some browsers throw even here
  }
}

let constructible: boolean | null = null;

/** Chrome on Android has the constructor, and throws when it is called, allowed or not. Nothing is shown before it is allowed. */
function isSupported(): boolean {
  if (typeof Notification === "undefined") return false;
  if (constructible !== null || Notification.permission !== "default") return constructible ?? true;
  try {
    new Notification("").close();
    return (constructible = true);
  } catch {
    return (constructible = false);
  }
}
