export type OpenArray = Node[];
export type OpenObject = Map<string, Node>;

/** A part of a document: the offset of its MessagePack in the arena, or a container that was opened to be changed. */
export type Node = number | OpenArray | OpenObject;
