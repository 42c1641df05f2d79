// Menus are <details>; with script they also close by Escape, by a press elsewhere, and when the focus leaves.
export function bind(menus) {
  for (const menu of menus) {
    const close = () => {
      menu.open = false;
    };
    // A press on the panel's own ground gives the focus to the panel, and not to what lies around the menu.
    for (const panel of menu.querySelectorAll(':scope > :not(summary)')) panel.tabIndex = -1;
    document.addEventListener('pointerdown', (event) => {
      if (!menu.contains(event.target)) close();
    });
    menu.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
    });
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !menu.open) return;
      close();
      menu.querySelector('summary').focus();
    });
  }
}
