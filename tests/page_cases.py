"""Pages as a reader without scripts gets them: tags, texts and attributes."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """The tags in order, the text, and the attributes of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.pieces, self.inside = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Keep a tag and its attributes."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.inside.append(tag)

    def handle_endtag(self, tag):
        """Leave the innermost element of that name, and those in it that have no end."""
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        """Keep what is read, which style and script are not."""
        if not {"style", "script"} & set(self.inside):
            self.pieces.append(data)

    @property
    def text(self):
        """All that is read."""
        return " ".join(self.pieces)

    def values(self, name):
        """The values of an attribute."""
        return [value for _, found, value in self.attributes if found == name]
