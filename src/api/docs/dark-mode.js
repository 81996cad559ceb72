// Swagger UI has dark colours under a class of its own. The page follows what the person has chosen for the whole system.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => {
  window.document.documentElement.classList.toggle("dark-mode", dark.matches);
};
dark.addEventListener("change", follow);
follow();
