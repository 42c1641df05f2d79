// Makes the addresses in a mail's text pressable.
export function bind(texts) {
  for (const text of texts) {
    const pieces = text.textContent.split(/(https?:\/\/\S+)/);
    text.replaceChildren(...pieces.map((piece, index) => (index % 2 === 1 ? link(piece) : piece)));
  }
}

function link(address) {
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.textContent = address;
  return anchor;
}
