// The recordings of the calls with one party, to play or to save.

import * as Popover from "@radix-ui/react-popover";
import { AudioLines, Download, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { CallRecording } from "sip-proxy-client";
import type { Recordings } from "../phone/useRecordings";
import { RECORDINGS } from "../texts";
import { relativeTime, spokenSeconds } from "./time";

export interface CallRecordingsProps {
  who: string;
  list: readonly CallRecording[]; // at least one
  now: number;
  sound: Recordings["sound"];
}

export function CallRecordings({ who, list, now, sound }: CallRecordingsProps) {
  return (
    <Popover.Root>
      <Popover.Trigger className="icon-button" aria-label={RECORDINGS.of(who)} title={RECORDINGS.of(who)}>
        <AudioLines size={18} aria-hidden="true" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover"
          sideOffset={4}
          align="end"
          collisionPadding={12}
          aria-label={RECORDINGS.of(who)}
        >
          <p className="popover-title">{RECORDINGS.of(who)}</p>
          <ul className="recordings">
            {list.map((one) => (
              <RecordingPlayer key={one.name} recording={one} now={now} sound={sound} />
            ))}
          </ul>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function RecordingPlayer({
  recording,
  now,
  sound,
}: {
  recording: CallRecording;
  now: number;
  sound: Recordings["sound"];
}) {
  const [url, setUrl] = useState("");
  const [state, setState] = useState<"closed" | "loading" | "open" | "failed">("closed");
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const player = useRef<HTMLAudioElement>(null);
  useEffect(() => player.current?.focus(), [url]); // what was pressed is gone: the keys are still ours
  const load = (): void => {
    if (state === "loading") return;
    setState("loading");
    sound(recording.name).then(
      (blob) => {
        setUrl(URL.createObjectURL(blob));
        setState("open");
      },
      () => setState("failed"),
    );
  };
  const when = `${relativeTime(recording.startedAt * 1000, now)} · ${spokenSeconds(Math.round(recording.seconds))}`;
  return (
    <li>
      <span>{when}</span>
      {state === "open" ? (
        <>
          <a className="link" href={url} download={`${recording.name}.wav`}>
            <Download size={16} aria-hidden="true" /> {RECORDINGS.save}
          </a>
          <audio ref={player} src={url} controls autoPlay aria-label={when} />
        </>
      ) : (
        <button type="button" className="link" onClick={load} aria-disabled={state === "loading"}>
          <Play size={16} aria-hidden="true" /> {state === "loading" ? RECORDINGS.loading : RECORDINGS.play}
        </button>
      )}
      {state === "failed" && (
        <p className="fault" role="alert">
          {RECORDINGS.failed}
        </p>
      )}
    </li>
  );
}
