import type { RunObserver } from "../observer.js";
import { addressesOf } from "../run-report.js";
import { messageOf } from "./message.js";
import { noticesOf } from "./notices.js";
import { post } from "./post.js";

/** Tells a chat of failures, of recoveries and of answers that have changed, where the settings name its address. */
export const notify: RunObserver = {
  name: "the notice of the run",
  ended: async (context, end) => {
    const { journal, settings } = context;
    if (settings.notifyUrl === undefined) return;
    const { due, known } = await noticesOf(context, end);
    if (due.length > 0) await post(settings.notifyUrl, messageOf(end, due, addressesOf(context).html));
    journal.note({ notified: [...due, ...known] });
  },
};
