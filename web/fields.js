// What a server says against single fields of a form, shown at these fields. A control names its place in the request's body as
// a JSON pointer in `data-pointer`.

import { element } from "./dom.js";

/**
 * Shows each error at its control and moves the focus to the first of them.
 * @param {{pointer: string, detail: string}[]} errors
 * @returns the errors that belong to no control that can be seen
 */
export function showFieldErrors(form, errors) {
  clearFieldErrors(form);
  const controls = [...form.querySelectorAll("[data-pointer]")].filter((control) => !control.closest("[hidden]"));
  const others = [];
  for (const { pointer, detail } of errors) {
    const control = controls.find(({ dataset }) => pointer === dataset.pointer || pointer.startsWith(`${dataset.pointer}/`));
    if (control) mark(control, pointer === control.dataset.pointer ? detail : `${pointer} ${detail}`);
    else others.push({ pointer, detail });
  }
  controls.find((control) => control.getAttribute("aria-invalid"))?.focus();
  return others;
}

function mark(control, detail) {
  const id = `${control.name}-error`;
  const known = document.getElementById(id);
  if (known) return known.append("; ", detail);
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", id);
  control.closest("label").after(element("p", { class: "field-error", id }, detail));
}

export function clearFieldErrors(form) {
  form.querySelectorAll("[aria-invalid]").forEach((control) => clear(control));
}

/** A control that is being mended is not wrong any more. */
export function clearOnInput(form) {
  form.addEventListener("input", ({ target }) => target.getAttribute("aria-invalid") && clear(target));
}

function clear(control) {
  control.removeAttribute("aria-invalid");
  document.getElementById(control.getAttribute("aria-describedby"))?.remove();
  control.removeAttribute("aria-describedby");
}
