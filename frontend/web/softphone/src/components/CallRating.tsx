// Rates a call by stars, and after that by what was wrong. All of it is optional.

import * as Popover from "@radix-ui/react-popover";
import { useState } from "react";
import type { CallFeedback } from "sip-proxy-client";
import { ISSUES, RATING } from "../texts";

export type Feedback = CallFeedback;
type Issue = keyof typeof ISSUES;

/** As many characters as the server takes. */
const MAX_COMMENT_LENGTH = 500;

/** The stars are sent at once; a comment replaces that, and so does another star. */
export function CallRating({ onRate }: { onRate(opinion: Feedback): void }) {
  const [score, setScore] = useState(0);
  const [open, setOpen] = useState(false);
  const [issue, setIssue] = useState<Issue | "">("");
  const [comment, setComment] = useState("");
  const rate = (given: number): void => {
    setScore(given);
    setOpen(true);
    onRate(feedbackOf(given, issue, comment));
  };
  const send = (): void => {
    onRate(feedbackOf(score, issue, comment));
    setOpen(false);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Anchor asChild>
        <span
          className="stars"
          role="group"
          aria-label={RATING.question}
          title={score ? RATING.thanks : RATING.question}
          data-testid="rating"
        >
          {[1, 2, 3, 4, 5].map((one) => (
            <button
              key={one}
              type="button"
              aria-label={RATING.score(one)}
              aria-pressed={one === score}
              onClick={() => rate(one)}
            >
              {one <= score ? "★" : "☆"}
            </button>
          ))}
          <span className="hidden" role="status">
            {score ? RATING.thanks : ""}
          </span>
        </span>
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content
          className="popover rating"
          sideOffset={6}
          align="center"
          collisionPadding={12}
          aria-label={RATING.more}
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              send();
            }}
          >
            <p className="popover-title">{RATING.more}</p>
            <div className="issues" role="group" aria-label={RATING.issue}>
              {(Object.keys(ISSUES) as Issue[]).map((one) => (
                <button
                  key={one}
                  type="button"
                  className="issue"
                  aria-pressed={one === issue}
                  onClick={() => setIssue(one === issue ? "" : one)}
                >
                  {ISSUES[one]}
                </button>
              ))}
            </div>
            <input
              value={comment}
              maxLength={MAX_COMMENT_LENGTH}
              onChange={(event) => setComment(event.target.value)}
              aria-label={RATING.comment}
              placeholder={RATING.comment}
            />
            <button type="submit" className="primary">
              {RATING.send}
            </button>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function feedbackOf(score: number, issue: Issue | "", comment: string): Feedback {
  const text = comment.trim();
  return { score, ...(issue ? { issue } : {}), ...(text ? { comment: text } : {}) };
}
