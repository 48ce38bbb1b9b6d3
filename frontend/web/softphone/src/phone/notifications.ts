// What the system shows of a call while the page is out of sight, where the browser may. None of this throws.

import { read, write } from "./storage";

/** `ask`: nobody has said yet. `none`: this browser shows none of a page (Android's, and many within apps). */
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

/** Shows one, and gives what takes it away. */
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
    return "none"; // some refuse even to say it
  }
}

let constructible: boolean | null = null;

/** Android's Chrome has the name, and throws where it is used, allowed or not. Nothing is shown before it is allowed. */
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
