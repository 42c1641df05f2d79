// Counts the seconds that the codes are still good for, then asks for new ones.
export function bind(places) {
  const end = Date.now() + Math.min(...places.map((place) => Number(place.dataset.countdown))) * 1000;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      window.location.reload();
      return;
    }
    for (const place of places) place.textContent = `good for ${left} s`;
  };
  const timer = setInterval(tick, 500);
}
