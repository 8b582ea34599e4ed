"""Who gave an order, why and when: what the control topic keeps beside the orders in force. Pure."""
