from django.db import models


class Question(models.Model):
    text = models.CharField(max_length=200)
    asked = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.text


class Choice(models.Model):
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="choices")
    text = models.CharField(max_length=200)
    votes = models.PositiveIntegerField(default=0)
