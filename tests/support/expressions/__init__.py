"""Names, random trees and rows of expressions, and an interpreter that shares no code with the back-ends."""
