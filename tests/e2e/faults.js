// What is wrong with the looks of a page, as far as a program can see it: a sentence for each fault.
(mayScroll) => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push(`scrolls sideways: ${root.scrollWidth} of ${innerWidth} pixels`);
  if (!mayScroll && root.scrollHeight > innerHeight) faults.push(`scrolls down: ${root.scrollHeight} of ${innerHeight} pixels`);

  const name = (element) => {
    const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 40);
    return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> "${text}"`;
  };
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest(".hidden");

  // What can be pressed must be in sight, and large enough to be hit, unless it is in a list that scrolls.
  for (const element of document.querySelectorAll("button, input, select, a")) {
    if (!shown(element) || element.closest(".people-lists, .parties, .rows, main.board")) continue;
    const box = element.getBoundingClientRect();
    if (box.left < 0 || box.top < 0 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5) faults.push(`is out of sight: ${name(element)}`);
    if (Math.min(box.width, box.height) < 24 && !element.closest("label")) faults.push(`is too small to hit (${Math.round(box.width)} by ${Math.round(box.height)}): ${name(element)}`);
    const inside = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (inside && !inside.closest("dialog, [data-radix-popper-content-wrapper]") && inside !== element && !element.contains(inside) && !inside.contains(element)) faults.push(`is covered by ${name(inside)}: ${name(element)}`);
  }

  // Sentences are there to be read to their end.
  for (const element of document.querySelectorAll("[data-testid=message], .banner, .round span, .state-word, .hint")) {
    if (!shown(element)) continue;
    if (element.scrollHeight > element.clientHeight + 2 && getComputedStyle(element).display !== "inline") faults.push(`is cut off below: ${name(element)}`);
    if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline") faults.push(`is cut off at its side: ${name(element)}`);
  }
  return faults;
};
