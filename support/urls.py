"""Addresses of the inbox."""

from django.urls import path

from support import review_queue, views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("review/", review_queue.review_queue, name="review_queue"),
    path("open/", views.conversation_open, name="conversation_open"),
    path("<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("<uuid:conversation_id>/reply/", views.conversation_reply, name="conversation_reply"),
    path("<uuid:conversation_id>/review/", views.conversation_review, name="conversation_review"),
    path("<uuid:conversation_id>/assign/", views.conversation_assign, name="conversation_assign"),
    path("<uuid:conversation_id>/close/", views.conversation_close, name="conversation_close"),
]
