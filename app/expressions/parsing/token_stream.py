"""The tokens of a text, taken one after another."""

from app.expressions.parsing.tokens import Token, TokenKind, tokens
from app.expressions.position import refusal


class TokenStream:
    """All tokens of a text. The end stays when it is taken."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._index = 0

    @property
    def next(self) -> Token:
        """The token that is taken next."""
        return self._tokens[self._index]

    def take(self) -> Token:
        token = self.next
        self._index += token.kind is not TokenKind.END
        return token

    def takes(self, symbol: str) -> bool:
        """Whether the next token is this symbol, which is then taken."""
        found = self.next.symbol == symbol
        self._index += found
        return found

    def require(self, symbol: str) -> None:
        """Take this symbol. Raises InvalidExpression where another token is next."""
        if not self.takes(symbol):
            raise refusal(self.next.at, f"'{symbol}' is expected here, not {self.next}")

    def require_end(self) -> None:
        if self.next.kind is not TokenKind.END:
            raise refusal(self.next.at, f"an operator is expected here, not {self.next}")
