/** A text on one line, whatever it is made of: what comes from raw data must not draw on the reader's terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    const escaped = JSON.stringify(control).slice(1, -1);
    // JSON leaves the upper half of the control characters as they are.
    return escaped === control ? `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
  });
}
