// Numbers out of the kernel's messages.

/** Typed array over a message's buffer, copied: parts of a message start at any byte. */
export function arrayOf(Kind, buffer) {
  const bytes = buffer.buffer ? buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) : buffer.slice(0);
  return new Kind(bytes);
}
