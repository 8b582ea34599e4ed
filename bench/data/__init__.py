"""What is measured with: the Handbook's transactions or simulated ones, customers by the million, profiles, days."""
