"""What each code of an error or of a reason means, with a bad and a good example: one file of Markdown each.

`book` reads them. `fastgrad explain` prints them, and `pages` makes the documentation's pages of them.
"""

from fastgrad.explanations.book import Explanation, codes, explanation, like

__all__ = ["Explanation", "codes", "explanation", "like"]
