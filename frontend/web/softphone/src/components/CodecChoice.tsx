// Selects the codec of calls, for experts.

import { useState } from "react";
import { type CodecChoice as Choice, chooseCodec, chosenCodec } from "../phone/codec";
import { CODEC } from "../texts";

export function CodecChoice() {
  const [codec, setCodec] = useState(chosenCodec);
  const choose = (chosen: Choice): void => {
    chooseCodec(chosen);
    setCodec(chosen);
  };
  return (
    <label className="popover-field">
      <span>{CODEC.title}</span>
      <select value={codec} onChange={(event) => choose(event.target.value as Choice)}>
        <option value="">{CODEC.automatic}</option>
        <option value="opus">{CODEC.opus}</option>
        <option value="pcmu">{CODEC.pcmu}</option>
      </select>
    </label>
  );
}
