"""What is answered to a transaction, and what settled it. Pure; imports only ``app.domain``."""
