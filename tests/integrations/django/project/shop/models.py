from __future__ import annotations

from uuid import uuid4

from django.db import models

from backburner import Delayable


class Customer(Delayable, models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(default="")
    password = models.CharField(max_length=100, default="")
    notes = models.TextField(default="")
    code = models.TextField(default="")

    def activate(self, code: str = "") -> str:
        self.code = code
        self.save(update_fields=["code"])
        return self.name

    def say_name(self) -> str:
        return self.name

    async def say_name_later(self) -> str:
        return (await Customer.objects.aget(pk=self.pk)).name


class Shopkeeper(Customer):
    """Inherits, in a table of its own."""

    shop = models.CharField(max_length=100)


class Regular(Customer):
    """Stands for the same rows."""

    class Meta:
        proxy = True


class Order(models.Model):
    """A plain model."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    def bill(self) -> str:
        return f"{self.customer.name} owes {self.total}"
